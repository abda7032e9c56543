// A second provider of inline suggestions, as GitHub Copilot is one: it always suggests the same, after a pause.
// Its item in the status bar says what, as soon as it knows of a change of its setting.
const { languages, window, workspace, InlineCompletionItem, StatusBarAlignment } = require('vscode');

exports.activate = ({ subscriptions }) => {
  const setting = () => workspace.getConfiguration('second').get('suggestion') ?? {};
  const item = window.createStatusBarItem('suggestion', StatusBarAlignment.Left);
  const show = () => {
    const { text = '', pause = 0 } = setting();
    item.text = `second: [${text}] ${pause}`;
    item.show();
  };
  show();
  subscriptions.push(
    item,
    workspace.onDidChangeConfiguration(show),
    languages.registerInlineCompletionItemProvider(
      { scheme: 'file' },
      {
        async provideInlineCompletionItems(_document, _position, _context, token) {
          const { text = '', pause = 0 } = setting();
          await new Promise((done) => setTimeout(done, pause));
          return token.isCancellationRequested || text === '' ? [] : [new InlineCompletionItem(text)];
        },
      },
    ),
  );
};

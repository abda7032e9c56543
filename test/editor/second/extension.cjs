// A second provider of inline suggestions, as GitHub Copilot is one: it always suggests the same, after a pause.
const { languages, workspace, InlineCompletionItem } = require('vscode');

exports.activate = ({ subscriptions }) => {
  subscriptions.push(
    languages.registerInlineCompletionItemProvider(
      { scheme: 'file' },
      {
        async provideInlineCompletionItems(_document, _position, _context, token) {
          const { text = '', pause = 0 } = workspace.getConfiguration('second').get('suggestion') ?? {};
          await new Promise((done) => setTimeout(done, pause));
          return token.isCancellationRequested || text === '' ? [] : [new InlineCompletionItem(text)];
        },
      },
    ),
  );
};

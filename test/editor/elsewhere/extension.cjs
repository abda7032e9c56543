// Opens the first file of the workspace's folder `src` under addresses that documents have in other windows.
const { commands, workspace, EventEmitter, FileType, Uri } = require('vscode');

/** One file in memory: what GitHub Repositories and its like show. */
class Memory {
  onDidChangeFile = new EventEmitter().event;
  text = new Uint8Array();

  watch() {
    return { dispose() {} };
  }

  stat({ path }) {
    const type = path.endsWith('.ts') ? FileType.File : FileType.Directory;
    return { type, ctime: 0, mtime: 0, size: this.text.length };
  }

  readFile() {
    return this.text;
  }

  writeFile(_uri, text) {
    this.text = text;
  }

  readDirectory() {
    return [];
  }

  // VS Code wants these to be there.
  createDirectory() {}
  delete() {}
  rename() {}
}

exports.activate = ({ subscriptions }) => {
  const memory = new Memory();
  const source = () => Uri.joinPath(workspace.workspaceFolders[0].uri, 'src', 'harbour.ts');
  const open = (uri) => commands.executeCommand('vscode.open', uri);
  subscriptions.push(
    workspace.registerFileSystemProvider('vscode-vfs', memory),
    // As a window sees it whose extension runs on the user's own side, with the files on another machine.
    commands.registerCommand('elsewhere.remote', () =>
      open(Uri.from({ scheme: 'vscode-remote', authority: 'ssh-remote+elsewhere', path: source().path })),
    ),
    commands.registerCommand('elsewhere.virtual', async () => {
      memory.text = await workspace.fs.readFile(source());
      return open(Uri.from({ scheme: 'vscode-vfs', authority: 'github', path: '/harbour/src/harbour.ts' }));
    }),
  );
};

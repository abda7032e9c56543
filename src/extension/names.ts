/** Name under which VS Code keeps the endpoint's token. */
export const TOKEN_SECRET = 'thoughtline.endpointToken';

/** Section of the settings. */
export const section = 'thoughtline';

/** What the editor runs when a whole suggestion is accepted. Nobody else does. */
export const acceptedCommand = 'thoughtline.accepted';

/** Scheme of notebook cells. */
export const CELL = 'vscode-notebook-cell';

/**
 * Schemes of what is completed: files, here, on a remote machine or behind a virtual file system, untitled ones, notebook
 * cells, and the input of source control.
 */
export const SCHEMES = ['file', 'untitled', 'vscode-remote', 'vscode-vfs', CELL, 'vscode-scm'] as const;

/** Section of the settings. */
export const section = 'thoughtline';

/** What the editor runs when a whole suggestion is accepted. Nobody else does. */
export const acceptedCommand = 'thoughtline.accepted';

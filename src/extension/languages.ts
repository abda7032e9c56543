/** Whether suggestions are on for a language: its own entry decides, else that of `*`. */
export function languageOn(languages: Readonly<Record<string, unknown>> | undefined, language: string): boolean {
  if (languages === undefined || languages === null || typeof languages !== 'object') return true;
  const own = Object.hasOwn(languages, language) ? languages[language] : languages['*'];
  return own !== false;
}

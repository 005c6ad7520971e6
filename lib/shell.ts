/** Quotes a text for a shell, so that the shell reads the text as one word. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A text as one word of a shell: nothing in it is read as code. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

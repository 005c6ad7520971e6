/** GitHub's limit for one comment, in characters. */
export const commentLimit = 65_536;

/**
 * Limit for one stack's section of a comment, in characters. With this limit, the sections of three
 * stacks fit into one comment.
 */
export const sectionLimit = 21_000;

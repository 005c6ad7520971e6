/** GitHub's limit for one comment, in characters. */
export const commentLimit = 65_536;

/** Limit for one stack's section, in characters, so that three stacks fit into one comment. */
export const sectionLimit = 21_000;

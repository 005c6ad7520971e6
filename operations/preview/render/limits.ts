/** Most characters that GitHub takes in one comment. */
export const commentLimit = 65_536;

/** Most of them that one stack may have, so that three of them fit into the one comment. */
export const sectionLimit = 21_000;

import { readFileSync } from "node:fs";
import { parse } from "yaml";

/** @type {readonly import("./words.mjs").Word[]} */
export const words = parse(readFileSync(new URL("words.yaml", import.meta.url), "utf8"));

const patterns = words.map(({ pattern, instead }) => ({
  instead,
  // A space in a pattern also matches a line break.
  expression: new RegExp(pattern.replaceAll(/ (?![+*?{])/g, "\\s+"), "gi"),
}));

/** Finds the forbidden words of words.yaml in a text. @param {string} text */
export function findings(text) {
  return patterns
    .flatMap(({ expression, instead }) =>
      [...text.matchAll(expression)].map((match) => {
        const found = match[0].trim().replaceAll(/\s+/g, " ");
        const shown = found.length > 40 ? `${found.slice(0, 40)}...` : found;
        return {
          index: match.index,
          message: `"${shown}": do not write this; instead: ${instead}`,
        };
      }),
    )
    .sort((a, b) => a.index - b.index);
}

/**
 * Replaces every character of a text, except line breaks, with the character `by`. So the text
 * keeps its length and its lines.
 *
 * @param {string} text
 */
export const blank = (text, by = " ") => text.replaceAll(/[^\n]/g, by);

/**
 * Replaces code between backticks with underscores. Keeps the backticks, because some patterns
 * contain a backtick.
 *
 * @param {string} text
 */
export const withoutCode = (text) =>
  text.replaceAll(/`([^`]+)`/g, (_, code) => `\`${blank(code, "_")}\``);

import { readFileSync } from "node:fs";
import { parse } from "yaml";

/** @type {readonly import("./words.mjs").Word[]} */
export const words = parse(readFileSync(new URL("words.yaml", import.meta.url), "utf8"));

const patterns = words.map(({ pattern, instead }) => ({
  instead,
  // A line may break anywhere.
  expression: new RegExp(pattern.replaceAll(/ (?![+*?{])/g, "\\s+"), "gi"),
}));

/** @param {string} text */
export function findings(text) {
  return patterns
    .flatMap(({ expression, instead }) =>
      [...text.matchAll(expression)].map((match) => {
        const found = match[0].trim().replaceAll(/\s+/g, " ");
        const shown = found.length > 40 ? `${found.slice(0, 40)}...` : found;
        return { index: match.index, message: `"${shown}": write ${instead}` };
      }),
    )
    .sort((a, b) => a.index - b.index);
}

/** The text with everything but line breaks replaced, so that the positions of the rest stay. @param {string} text */
export const blank = (text, by = " ") => text.replaceAll(/[^\n]/g, by);

/** Code between backticks is not prose; the backticks stay, because they say that something is there. @param {string} text */
export const withoutCode = (text) =>
  text.replaceAll(/`([^`]+)`/g, (_, code) => `\`${blank(code, "_")}\``);

/**
 * Formats rows as lines with aligned columns. A column is as wide as its widest cell, but at most
 * `limit` characters wide. The function does not shorten longer cells, so such a cell moves the
 * rest of its line to the right.
 */
export function columns(
  rows: readonly (readonly string[])[],
  limit = Number.POSITIVE_INFINITY,
): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.min(limit, Math.max(...rows.map((row) => row[column]?.length ?? 0))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

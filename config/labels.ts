/**
 * Labels of the company, for every object that a stack of the program owns, pods included.
 * Selectors never contain these labels, so that you can add and remove labels without downtime. A
 * change to the labels restarts the pods once.
 *
 * @example
 * { "example.com/cost-center": "4711" }
 */
export const companyLabels: Readonly<Record<string, string>> = {};

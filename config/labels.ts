/**
 * Labels of the company, for every object and pod of every stack of the program. Selectors never
 * contain these labels, so that you can add and remove labels without downtime. A change to the
 * labels restarts the pods once.
 *
 * @example
 * { "example.com/cost-center": "4711" }
 */
export const companyLabels: Readonly<Record<string, string>> = {};

/**
 * Makes each test of a suite depend on the earlier tests of the suite. After a failed test, Mocha
 * skips the following tests, and reports them as pending.
 */
export function stepByStep(): void {
  let failed = false;
  beforeEach(function () {
    if (failed) this.skip();
  });
  afterEach(function () {
    failed ||= this.currentTest?.state === "failed";
  });
}

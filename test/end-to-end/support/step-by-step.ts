/**
 * Makes each test of a suite depend on the tests before it. After a test has failed, the following
 * tests are skipped, and do not count as passed.
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

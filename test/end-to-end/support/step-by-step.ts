/**
 * Makes each test of a suite depend on the tests before it. After a test has failed, Mocha skips
 * the following tests. So Mocha does not report them as passed.
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

// A test must not mock the same method twice: `mock.restoreAll` restores the older mock first, and
// the newer mock then brings the older mock back. With a mock of `Date.now`, the waits in all later
// tests would never end. So this hook ends the run after the test that left the mock.
const { now } = Date;

exports.mochaHooks = {
  afterEach() {
    if (Date.now === now) return;
    Date.now = now;
    throw new Error(
      `"${this.currentTest.fullTitle()}" left a mock of Date.now: mock it once, in beforeEach`,
    );
  },
};

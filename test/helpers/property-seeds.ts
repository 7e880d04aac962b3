import fc from 'fast-check';

// Loaded before each test file (`ava.require` in package.json). If an assertion of AVA fails inside a property, AVA shows
// that assertion alone, without the seed: so fast-check's report is printed too. PROPERTY, set to a report's line
// `{ seed: ..., path: ... }`, runs that case again.

const [, seed, path] = /seed: (-?\d+), path: "([\d:]*)"/.exec(process.env.PROPERTY ?? '') ?? [];

fc.configureGlobal({
  ...(seed !== undefined && { seed: Number(seed), path: path!, endOnFailure: true }),
  reporter: (details) => {
    if (!details.failed) return;
    const report = fc.defaultReportMessage(details);
    console.log(report);
    throw new Error(report, { cause: details.errorInstance });
  },
});

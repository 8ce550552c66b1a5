/** `npm run reindex -- ...` is `twinrank reindex ...` of this checkout. */
process.argv.splice(2, 0, 'reindex');
await import('../src/cli/main.js');

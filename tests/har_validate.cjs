// Checks a HAR file with an independent validator: node har_validate.cjs FOLDER FILE, where FOLDER has the validator in
// its node_modules. Prints what is wrong, one a line; exit code 0 if nothing is.
const fs = require('fs');

const [folder, file] = process.argv.slice(2);
const validate = require(require.resolve('har-validator', { paths: [folder] }));

validate.har(JSON.parse(fs.readFileSync(file, 'utf8'))).then(
    () => console.log('valid'),
    (problem) => {
        for (const error of problem.errors || [problem]) {
            console.log(`${error.dataPath || ''} ${error.message}`);
        }
        process.exitCode = 1;
    },
);

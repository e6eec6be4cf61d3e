// Checks a description of an API with an independent validator, and answers with the schemas in it:
// node openapi_validate.cjs FOLDER DESCRIPTION ANSWERS, where FOLDER has the validator in its node_modules and ANSWERS
// is a JSON list of { path, status, body }. Prints what is wrong, one a line; exit code 0 if nothing is.
const fs = require('fs');
const path = require('path');
const { pathToFileURL } = require('url');

const [folder, description, answers] = process.argv.slice(2);
const found = require.resolve('@seriousme/openapi-schema-validator', { paths: [folder] });
// The validator's own: others in the folder have an older one.
const own = (name) => require(require.resolve(name, { paths: [path.dirname(found)] }));
const Ajv = own('ajv/dist/2020.js').default;
const formats = own('ajv-formats');

const wrong = [];
const say = (where, errors) => errors.forEach((error) => wrong.push(`${where} ${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`));

// What is described must be all that there is: in the file it is open, because fields may be added.
function close(schema) {
    if (schema === null || typeof schema !== 'object') {
        return;
    }
    if (schema.type === 'object' && schema.properties) {
        schema.additionalProperties = false;
    }
    Object.values(schema).forEach(close);
}

async function main() {
    const { Validator } = await import(pathToFileURL(found).href);
    const api = JSON.parse(fs.readFileSync(description, 'utf8'));
    const { valid, errors } = await new Validator().validate(structuredClone(api));
    if (!valid) {
        say('description:', [].concat(errors));
    }
    Object.values(api.components.schemas).forEach(close);
    const ajv = new Ajv({ strict: false, allErrors: true });
    formats.default ? formats.default(ajv) : formats(ajv);
    ajv.addSchema(api, 'api');
    const escaped = (text) => text.replaceAll('~', '~0').replaceAll('/', '~1');
    for (const { path: asked, status, body } of JSON.parse(fs.readFileSync(answers, 'utf8'))) {
        const response = api.paths[asked].get.responses[status];
        const at = response?.$ref ?? `#/paths/${escaped(asked)}/get/responses/${status}`;
        const validate = ajv.getSchema(`api${encodeURI(`${at}/content/application~1json/schema`)}`);
        if (!validate) {
            wrong.push(`${asked} ${status} is not described`);
        } else if (!validate(body)) {
            say(`${asked} ${status}:`, validate.errors);
        }
    }
    wrong.forEach((line) => console.log(line));
    process.exitCode = wrong.length === 0 ? 0 : 1;
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 2;
});

// Holds every document of a rendering, read on standard input, against the schemas of npm's kubernetes-models; answers
//   { "checked": number, "failures": [text] }
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";

let checked = 0;
const failures = [];
for (const document of parseAllDocuments(readFileSync(0, "utf8"))) {
  const object = document.toJS();
  try {
    const models = await import(`kubernetes-models/${object.apiVersion}`);
    new models[object.kind](object).validate();
    checked++;
  } catch (failure) {
    failures.push(`${object.kind} ${object.metadata?.name}: ${failure.message}`);
  }
}
console.log(JSON.stringify({ checked, failures }));

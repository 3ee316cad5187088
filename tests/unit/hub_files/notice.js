// Loads the extension as JupyterLab does and prints what a person would read, and when (milliseconds from now).
const fs = require("fs");
const [, , entry, config, commands] = process.argv;
const said = [];
globalThis.window = { alert: (message) => said.push({ type: "alert", message, after }) };
globalThis.document = { getElementById: () => ({ textContent: config }) };
let after = null;
globalThis.setTimeout = (call, wait) => { after = wait; call(); };
eval(fs.readFileSync(entry, "utf8"));
const app = {
  restored: Promise.resolve(),
  commands: {
    hasCommand: (name) => JSON.parse(commands).includes(name),
    execute: (name, args) => said.push({ type: args.type, message: args.message, after, stays: !args.options.autoClose }),
  },
};
(async () => {
  const container = window._JUPYTERLAB["elab-notice"];
  await container.init({});
  (await container.get("./extension"))().default.activate(app);
  await null;
  console.log(JSON.stringify(said));
})();

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
  const module = (await container.get("./extension"))();
  module.__scope__ = "elab-notice";
  // JupyterLab's own rule: without the mark the module itself is the plugin, and nothing of it is found.
  const plugin = module.hasOwnProperty("__esModule") ? module.default : module;
  if (!plugin.id || !plugin.autoStart) throw new Error("JupyterLab finds no plugin here");
  plugin.activate(app);
  await null;
  console.log(JSON.stringify(said));
})();

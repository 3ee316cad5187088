// An extension of JupyterLab and Notebook 7 that says in time that a server reaches its maximum age.
// Written by hand in the form that a module federation container has, so that it needs no build and no dependency.
// elab_activity.py puts `elabEndsAt` and `elabWarnsAt` (milliseconds since 1970) into the page's configuration.
(() => {
  const LONGEST = 2 ** 31 - 1; // of a browser's timer

  const option = (name) => {
    const element = document.getElementById("jupyter-config-data");
    return element ? Number(JSON.parse(element.textContent)[name] || 0) : 0;
  };

  const sentence = (endsAt) => {
    const at = new Date(endsAt).toLocaleString([], { weekday: "long", hour: "2-digit", minute: "2-digit" });
    return `This server is stopped at its maximum age, on ${at}. Save your work; your files stay, and you can start again.`;
  };

  const warn = (app, endsAt) => {
    const message = sentence(endsAt);
    if (app.commands.hasCommand("apputils:notify")) {
      app.commands.execute("apputils:notify", { message, type: "warning", options: { autoClose: false } });
    } else {
      window.alert(message); // JupyterLab 3 has no notifications
    }
  };

  const plugin = {
    id: "elab-notice:plugin",
    autoStart: true,
    activate: (app) => {
      const endsAt = option("elabEndsAt");
      const wait = Math.max(0, option("elabWarnsAt") - Date.now());
      if (endsAt && wait <= LONGEST) {
        app.restored.then(() => setTimeout(() => warn(app, endsAt), wait));
      }
    },
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  // Without the mark of an ES module JupyterLab takes the module itself for the plugin, and shows an empty page.
  const module = { __esModule: true, default: plugin };
  window._JUPYTERLAB["elab-notice"] = { init: () => {}, get: async () => () => module };
})();

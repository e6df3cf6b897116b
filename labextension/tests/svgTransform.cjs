// An imported SVG file is its text, as in JupyterLab's own build.
module.exports = {
  process: text => ({ code: `module.exports = { __esModule: true, default: ${JSON.stringify(text)} };` })
};

// Makes an entry of a changelog of a changeset: its text, without the hash of a commit. The packages
// share one version, so a new version of a dependency is no entry.
module.exports = {
  async getReleaseLine({ summary }) {
    const [first, ...rest] = summary.trim().split("\n");
    return [`- ${first}`, ...rest.map((line) => (line === "" ? "" : `  ${line}`))].join("\n");
  },
  async getDependencyReleaseLine() {
    return "";
  },
};

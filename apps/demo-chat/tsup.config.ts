import { page, program } from "../../tsup.base.ts";

export default [
  program({ entry: ["src/main.ts"], clean: false }),
  page({ entry: { page: "src/page/main.ts" } }),
];

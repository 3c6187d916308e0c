import { program } from "../../tsup.base.ts";

export default program({ entry: ["src/main.ts"] });

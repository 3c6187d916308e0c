import { program } from "../../tsup.base.ts";

export default program({ entry: ["main.ts"] });

// Shows the site that was built.
import { serve } from "vitepress";
import { BASE, site } from "./places.mjs";

await serve({ root: site, port: 4173, base: BASE });

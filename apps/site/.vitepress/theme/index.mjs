// VitePress's theme with the system's fonts, and our colors and tables.
import Theme from "vitepress/theme-without-fonts";
import "./style.css";

export default Theme;

import type { Theme } from "vitepress"
import DefaultTheme from "vitepress/theme"
import PoolPlayground from "./PoolPlayground.vue"
import "./style.css"

export default {
  extends: DefaultTheme,
  enhanceApp: ({ app }) => {
    app.component("PoolPlayground", PoolPlayground)
  }
} satisfies Theme

import type { Theme } from 'vitepress';
import DefaultTheme from 'vitepress/theme-without-fonts';
import CpuTable from './CpuTable.vue';
import RequestPath from './RequestPath.vue';
import './style.css';

/** VitePress's own theme with our colours, the fonts of the system, and the parts of the home page. */
export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component('RequestPath', RequestPath);
    app.component('CpuTable', CpuTable);
  },
} satisfies Theme;

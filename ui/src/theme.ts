import { createTheme, type MantineColorsTuple } from '@mantine/core';

const pine: MantineColorsTuple = [
  '#e8f5f1', '#d3e9e2', '#a5d3c5', '#73bba5', '#4ca78b', '#339a7a', '#238a6b', '#17705c', '#115a49', '#0a4135',
];

/** From ink to night, for what the library colours by itself in the dark. */
const dark: MantineColorsTuple = [
  '#dfe7e3', '#c2cec8', '#9caba4', '#7b8a83', '#3c4a44', '#2a3530', '#1d2622', '#171e1b', '#101513', '#0b0f0d',
];

const mono = "ui-monospace, 'SFMono-Regular', Menlo, 'DejaVu Sans Mono', monospace";

/** One scale of sizes (12, 13, 14, 16, 20) and one of distances (4, 8, 12, 16, 24, 32). */
export const theme = createTheme({
  primaryColor: 'pine',
  primaryShade: 7,
  colors: { pine, dark },
  fontFamily: "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontFamilyMonospace: mono,
  defaultRadius: 'md',
  radius: { xs: '4px', sm: '6px', md: '8px', lg: '10px', xl: '16px' },
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  spacing: { xs: '8px', sm: '12px', md: '16px', lg: '24px', xl: '32px' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.5', lg: '1.5', xl: '1.4' },
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '24px', lineHeight: '1.25' },
      h2: { fontSize: '16px', lineHeight: '1.4' },
      h3: { fontSize: '14px', lineHeight: '1.45' },
    },
  },
  cursorType: 'pointer',
  components: {
    Button: { defaultProps: { size: 'sm' } },
    TextInput: { defaultProps: { size: 'sm' } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45 }, closeButtonProps: { 'aria-label': 'Close' } } },
    Drawer: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
  },
});

import { createTheme, type MantineColorsTuple } from '@mantine/core';

const pine: MantineColorsTuple = [
  '#e8f5f1', '#d3e9e2', '#a5d3c5', '#73bba5', '#4ca78b', '#339a7a', '#238a6b', '#17705c', '#115a49', '#0a4135',
];

/** What is bad and what deserves care, as in the words of the design. */
const red: MantineColorsTuple = [
  '#fbe7e4', '#f6d3ce', '#eeb3ac', '#e28f86', '#d2685d', '#c24d42', '#b63a31', '#ab322a', '#8f2721', '#741d18',
];

const yellow: MantineColorsTuple = [
  '#fbf0d9', '#f6e2b9', '#efcf8f', '#e8bd66', '#e1ab44', '#dda236', '#db9e30', '#d99a2b', '#a9731a', '#855507',
];

/** From ink to night, for what the library colours by itself in the dark. */
const dark: MantineColorsTuple = [
  '#dfe7e3', '#c2cec8', '#9caba4', '#7b8a83', '#3c4a44', '#2a3530', '#1d2622', '#171e1b', '#101513', '#0b0f0d',
];

const mono = "ui-monospace, 'SFMono-Regular', Menlo, 'DejaVu Sans Mono', monospace";

/** One scale of sizes (12, 13, 14, 16, 20) and one of distances (4, 8, 12, 16, 24, 32), in sixteenths of a rem. */
export const theme = createTheme({
  primaryColor: 'pine',
  primaryShade: 7,
  colors: { pine, red, yellow, dark },
  fontFamily: "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif",
  fontFamilyMonospace: mono,
  defaultRadius: 'md',
  radius: { xs: '0.25rem', sm: '0.375rem', md: '0.5rem', lg: '0.625rem', xl: '1rem' },
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  spacing: { xs: '0.5rem', sm: '0.75rem', md: '1rem', lg: '1.5rem', xl: '2rem' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.5', lg: '1.5', xl: '1.4' },
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.5rem', lineHeight: '1.25' },
      h2: { fontSize: '1rem', lineHeight: '1.4' },
      h3: { fontSize: '0.875rem', lineHeight: '1.45' },
    },
  },
  cursorType: 'pointer',
  components: {
    Button: { defaultProps: { size: 'sm' } },
    TextInput: { defaultProps: { size: 'sm' } },
    // The first item has the focus; a place before it would be something that a menu must not contain (WAI-ARIA 1.2).
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45 }, closeButtonProps: { 'aria-label': 'Close' } } },
    Drawer: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
  },
});

import mantine from 'postcss-preset-mantine';
import variables from 'postcss-simple-vars';

/** Lengths of the design grow with the size of letters: 16 px are 1rem. Hair lines stay what they are. */
const lengths = {
  postcssPlugin: 'lengths-in-rem',
  Declaration(declaration) {
    if (declaration.prop === 'content' || !declaration.value.includes('px')) return;
    declaration.value = declaration.value.replaceAll(/(?<![\w.-])(-?\d*\.?\d+)px\b/g, (text, number) => (Math.abs(Number(number)) < 4 ? text : `${Number(number) / 16}rem`));
  },
};

export default {
  plugins: [
    lengths,
    mantine(),
    variables({
      variables: {
        'mantine-breakpoint-xs': '30em',
        'mantine-breakpoint-sm': '48em',
        'mantine-breakpoint-md': '62em',
        'mantine-breakpoint-lg': '75em',
        'mantine-breakpoint-xl': '88em',
      },
    }),
  ],
};

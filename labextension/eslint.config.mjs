import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import typescript from 'typescript-eslint';

export default typescript.config(
  { ignores: ['**/*.cjs', 'lib/'] },
  js.configs.recommended,
  ...typescript.configs.strict,
  {
    plugins: { 'react-hooks': hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      eqeqeq: 'error',
      'max-lines': ['error', { max: 300, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipComments: true }]
    }
  },
  {
    // A table of generated texts, and the functions that group tests.
    files: ['src/feedbackTexts.ts', 'tests/**'],
    rules: { 'max-lines-per-function': 'off' }
  }
);

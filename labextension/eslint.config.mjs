import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import typescript from 'typescript-eslint';

export default typescript.config(js.configs.recommended, ...typescript.configs.strict, {
  plugins: { 'react-hooks': hooks },
  rules: {
    ...hooks.configs.recommended.rules,
    eqeqeq: 'error',
    'max-lines': ['error', { max: 300, skipComments: true }],
    'max-lines-per-function': ['error', { max: 60, skipComments: true }]
  }
});

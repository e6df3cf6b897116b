// JupyterLab's packages are ES modules, so everything is transformed; SWC does it in a second.
module.exports = {
  testEnvironment: 'jsdom',
  testMatch: ['<rootDir>/tests/**/*.test.{ts,tsx}'],
  setupFiles: ['<rootDir>/tests/browserGlobals.ts'],
  transform: {
    '\\.svg$': '<rootDir>/tests/svgTransform.cjs',
    '\\.[jt]sx?$|\\.mjs$': ['@swc/jest', { jsc: { target: 'es2022', transform: { react: { runtime: 'automatic' } } } }]
  },
  transformIgnorePatterns: []
};

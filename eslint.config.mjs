import pulumi from "@pulumi/eslint-plugin";
import tseslint from "typescript-eslint";
import prose from "./tools/prose/eslint-plugin.mjs";

/**
 * If a value is not known during a preview, Pulumi does not call the function inside `.apply(...)`.
 * So the preview does not show a resource that this function creates. The selector lists the
 * ordinary classes whose objects code may create in such a function.
 */
const noResourceInApply = {
  "no-restricted-syntax": [
    "error",
    {
      message: "create no resource inside apply: a preview may not show the resource",
      selector:
        "CallExpression[callee.property.name='apply'] NewExpression:not([callee.name=/^(Date|Error|Map|Set|URL)$/])",
    },
  ],
};

const noOutside = {
  "no-restricted-properties": [
    "error",
    { message: "only settings/ may read process.env", object: "process", property: "env" },
  ],
};

export default tseslint.config(
  {
    ignores: [
      "node_modules/",
      "service/",
      "test/golden/",
      "**/*.mjs",
      "**/*.d.cts",
      "**/*.d.mts",
      "**/*.cjs",
      "**/*.js",
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    files: ["**/*.ts"],
    languageOptions: {
      parserOptions: {
        // ESLint loads two TypeScript projects. With `projectService`, ESLint would load one
        // project for each folder with a tsconfig.json, and would need more than 4 GB of memory.
        project: ["tsconfig.json", "tools/tsconfig.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { "@pulumi": pulumi },
    rules: {
      "@pulumi/no-output-in-template-literal": "error",
      "@pulumi/no-output-instance-in-template-literal": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      // TypeScript itself requires brackets for keys of index signatures.
      "@typescript-eslint/dot-notation": "off",
      eqeqeq: "error",
      "max-lines": ["error", { max: 300 }],
      "no-console": "error",
      ...noResourceInApply,
    },
  },
  {
    // A resource registers itself with Pulumi, so a program does not need the constructed object.
    files: ["index.ts", "program/**/*.ts"],
    rules: { "no-new": "off", ...noOutside },
  },
  { files: ["components/**/*.ts"], rules: noOutside },
  // Every arg has a doc comment, so an interface of args may need more than 300 lines.
  { files: ["components/**/args.ts"], rules: { "max-lines": ["error", { max: 400 }] } },
  {
    // These rules check the English in comments and messages. A test that needs a forbidden word
    // disables the rule for one line, and says why.
    files: ["**/*.ts"],
    plugins: { prose },
    rules: {
      "prose/words": "error",
      "max-len": ["error", { code: 1000, comments: 100, ignoreUrls: true }],
    },
  },
  {
    // The commands print to the terminal. End-to-end tests print their measurements.
    files: ["{cli,lib,operations,pipeline,sandbox,tools,test/end-to-end}/**/*.ts"],
    rules: { "no-console": "off" },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      // Tests read fields of recorded manifests. These manifests have no types.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      // The program uses `export =`, because Pulumi runs an exported function. Tests import the
      // program with `import program = require(...)`.
      "@typescript-eslint/no-require-imports": ["error", { allowAsImport: true }],
      "max-lines": "off",
    },
  },
);

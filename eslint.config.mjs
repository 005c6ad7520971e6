import pulumi from "@pulumi/eslint-plugin";
import tseslint from "typescript-eslint";
import prose from "./tools/prose/eslint-plugin.mjs";

/** Constructing a resource inside `.apply(...)` hides it from previews. Ordinary objects are listed. */
const noResourceInApply = {
  "no-restricted-syntax": [
    "error",
    {
      message: "no resource inside apply: a preview would not show it",
      selector:
        "CallExpression[callee.property.name='apply'] NewExpression:not([callee.name=/^(Date|Error|Map|Set|URL)$/])",
    },
  ],
};

const noOutside = {
  "no-restricted-properties": [
    "error",
    { message: "only settings/ reads the environment", object: "process", property: "env" },
  ],
};

export default tseslint.config(
  {
    ignores: [
      "node_modules/",
      "service/",
      "test/golden/",
      "**/*.mjs",
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
        // Two programs. The project service would open one for each room with a tsconfig.json, and
        // need more than 4 GB.
        project: ["tsconfig.json", "tools/tsconfig.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    plugins: { "@pulumi": pulumi },
    rules: {
      "@pulumi/no-output-in-template-literal": "error",
      "@pulumi/no-output-instance-in-template-literal": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      // The optional parts of Kubernetes specs are dotted by name; index signatures are not.
      "@typescript-eslint/dot-notation": "off",
      eqeqeq: "error",
      "max-lines": ["error", { max: 300 }],
      "no-console": "error",
      ...noResourceInApply,
    },
  },
  {
    // A resource registers itself: making one without keeping it is how a program reads.
    files: ["index.ts", "program/**/*.ts"],
    rules: { "no-new": "off", ...noOutside },
  },
  { files: ["components/**/*.ts"], rules: noOutside },
  // Every arg has a doc comment: a limit of 300 lines would split an interface by prefixes.
  { files: ["components/**/args.ts"], rules: { "max-lines": ["error", { max: 400 }] } },
  {
    // Plain English. A test that needs a bad word disables the rule for one line, and says why.
    files: ["**/*.ts"],
    plugins: { prose },
    rules: {
      "prose/words": "error",
      "max-len": ["error", { code: 1000, comments: 100, ignoreUrls: true }],
    },
  },
  {
    // They talk to a person, on the terminal; end-to-end tests print what they measured.
    files: ["{cli,lib,operations,pipeline,sandbox,tools,test/end-to-end}/**/*.ts"],
    rules: { "no-console": "off" },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      // Recorded manifests are read by path: typing each of them would test the types, not the program.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      // The program is `export =`, because Pulumi runs an exported function.
      "@typescript-eslint/no-require-imports": ["error", { allowAsImport: true }],
      "max-lines": "off",
    },
  },
);

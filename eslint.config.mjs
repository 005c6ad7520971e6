import pulumi from "@pulumi/eslint-plugin";
import tseslint from "typescript-eslint";

/** Forbids imports by path, with the reason that is shown. */
const arrows = (...rules) => ({
  "no-restricted-imports": [
    "error",
    { patterns: rules.map(([regex, message]) => ({ message, regex })) },
  ],
});

const outwards = "^(\\.\\./)+";
const programOnly = [
  `${outwards}(index|settings|settings-table|jobs)$`,
  "the program passes args; what it calls does not ask it",
];
const surroundings = [
  `${outwards}(operations|pipeline|policy|platform|tools|test)(/|$)`,
  "an arrow never turns back: see the rooms in docs",
];
const component = [
  `(^|/)components/(?!conventions/)`,
  "only the program builds components; import components/conventions",
];

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
    { message: "only settings.ts reads the environment", object: "process", property: "env" },
  ],
};

export default tseslint.config(
  { ignores: ["node_modules/", "service/", "test/golden/", "**/*.mjs", "**/*.cjs", "**/*.js"] },
  ...tseslint.configs.strictTypeChecked,
  {
    files: ["**/*.ts"],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
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
    files: ["index.ts"],
    // A resource registers itself: making one without keeping it is how a program reads.
    rules: {
      "no-new": "off",
      ...arrows([`^\\./(operations|pipeline|policy|platform|tools|test)/`, surroundings[1]]),
      ...noOutside,
    },
  },
  {
    files: ["settings.ts", "settings-table.ts", "jobs.ts"],
    rules: arrows([`^\\./(operations|pipeline|policy|platform|tools|test)/`, surroundings[1]]),
  },
  {
    files: ["components/**/*.ts"],
    rules: { ...arrows(programOnly, surroundings), ...noOutside },
  },
  {
    files: ["components/conventions/**/*.ts"],
    rules: {
      ...arrows(programOnly, surroundings, [
        `^\\.\\./(?!conventions/)`,
        "conventions import no component",
      ]),
      ...noOutside,
    },
  },
  {
    files: ["policy/**/*.ts", "platform/**/*.ts"],
    rules: arrows(component, [`${outwards}index$`, "nothing runs the program but Pulumi"]),
  },
  {
    files: ["operations/**/*.ts", "pipeline/**/*.ts", "tools/**/*.ts"],
    rules: {
      ...arrows(component, [`${outwards}index$`, "nothing runs the program but Pulumi"]),
      // Tools talk to a person, on the terminal.
      "no-console": "off",
    },
  },
  {
    // End-to-end tests print what they measured.
    files: ["test/sandbox/**/*.ts"],
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

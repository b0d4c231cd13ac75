// Plays tests/clients/scenario.py through the AWS SDK for JavaScript: steps on stdin, one answer per line on stdout.
import * as sdk from "@aws-sdk/client-customer-profiles";

const client = new sdk.CustomerProfilesClient({
  endpoint: process.argv[2],
  region: "us-east-1",
  credentials: { accessKeyId: "test", secretAccessKey: "test" },
  maxAttempts: 1,
});
const captured = {};
const filled = (value) => {
  if (Array.isArray(value)) return value.map(filled);
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item)]));
  return typeof value === "string" && value.startsWith("$") ? captured[value.slice(1)] : value;
};
const at = (answer, path) => path.split(".").reduce((found, step) => found?.[step], answer);

let text = "";
for await (const chunk of process.stdin) text += chunk;
for (const [operation, input, captures] of JSON.parse(text)) {
  const answer = await client.send(new sdk[`${operation}Command`](filled(input)));
  for (const [name, path] of Object.entries(captures)) captured[name] = at(answer, path);
  console.log(JSON.stringify({ operation, answer }));
}

export { service } from "../../config/service";

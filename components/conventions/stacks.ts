/** The service this repository ships; also the Deployment's and the Service's name. */
export const service = "services-orders";

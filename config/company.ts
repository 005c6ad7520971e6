/**
 * The company's values. After you copy this repository, change this file first. The file contains
 * only data.
 */
export const company = {
  /** Domain of the review stacks' hosts. A host has the form `<service>-<slug>.<domain>`. */
  reviewDomain: "review.example.com",
  /** Cluster of the review stacks. Do not use production's cluster. */
  reviewCluster: { name: "staging", region: "eu-central-1" },
  /** Subnets of the load balancer in front of the review stacks. */
  reviewIngressFrom: [{ ipBlock: { cidr: "10.20.0.0/20" } }],
  /**
   * Addresses of the cluster's DNS, if DNS does not run in pods. With NodeLocal DNSCache, write
   * `169.254.20.10/32`. With EKS Auto Mode, DNS runs on each node, and pods send DNS requests to
   * the address of the Service `kube-dns`: write this address.
   */
  clusterDnsCidrs: [] as readonly string[],
  /**
   * KMS key that encrypts the secrets in the states of review stacks. Do not use production's key.
   */
  reviewSecretsProvider: "awskms://alias/services-orders-review?region=eu-central-1",
  /**
   * Maximum number of review stacks, and the number of hours from the last update of a review stack
   * to its expiry.
   */
  reviewStacks: { max: 10, ttlHours: 72 },
  /**
   * Image repository to which staging's jobs push images. Production pulls its images from this
   * repository. Review stacks use the repository `<repository>-review`.
   */
  imageRepository: "123456789012.dkr.ecr.eu-central-1.amazonaws.com/services-orders",
  /**
   * Platforms of the nodes in the clusters. Each machine, even a Mac with an ARM processor, builds
   * the images of staging and review stacks for all of these platforms. Production and canaries run
   * images for the same platforms.
   */
  imagePlatforms: ["linux/amd64"],
  /**
   * Registries to which only the company can push. Every stack except `local` may use images from
   * these registries.
   */
  registries: ["123456789012.dkr.ecr.eu-central-1.amazonaws.com"],
} as const;

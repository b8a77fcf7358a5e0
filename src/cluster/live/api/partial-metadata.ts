/** Media type of one object's metadata: a few hundred bytes in place of up to 1 MiB. */
export const partialMetadata = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";

/** Media type of a list of metadata. */
export const partialMetadataList = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";

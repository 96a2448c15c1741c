/** A JSON value that stands in an OpenAPI document. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** A JSON schema as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, Json | undefined>>;

/** How a client shows who it is. @see https://spec.openapis.org/oas/v3.1.1#security-scheme-object */
export type SecurityScheme =
  | {
      readonly type: 'http';
      readonly scheme: string;
      readonly bearerFormat?: string;
      readonly description?: string;
    }
  | {
      readonly type: 'apiKey';
      readonly in: 'header' | 'query' | 'cookie';
      readonly name: string;
      readonly description?: string;
    }
  | { readonly type: 'openIdConnect'; readonly openIdConnectUrl: string }
  | { readonly type: 'oauth2'; readonly flows: { readonly [flow: string]: Json } };

/** A parameter of an operation. @see https://spec.openapis.org/oas/v3.1.1#parameter-object */
export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header' | 'cookie';
  readonly required: boolean;
  readonly description?: string;
  readonly deprecated?: boolean;
  readonly schema: JsonSchema;
}

/** A schema for each media type. */
export type OpenApiContent = Readonly<Record<string, { readonly schema: JsonSchema }>>;

/** One of the answers of an operation. @see https://spec.openapis.org/oas/v3.1.1#response-object */
export interface OpenApiResponse {
  readonly description: string;
  readonly content?: OpenApiContent;
}

/** What a method does at a path. @see https://spec.openapis.org/oas/v3.1.1#operation-object */
export interface OpenApiOperation {
  readonly operationId: string;
  readonly tags?: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly deprecated?: boolean;
  readonly parameters?: readonly OpenApiParameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: OpenApiContent };
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
}

/** Where an API is. */
export interface ApiServer {
  /** Absolute, or relative to the document. */
  readonly url: string;
  readonly description?: string;
}

/** What the document says of an API besides its routes. @see https://spec.openapis.org/oas/v3.1.1#info-object */
export interface OpenApiOptions {
  /**
   * Where the API is, if that is not beside the document. The docs page asks the one that is chosen
   * there; one of another origin must allow it (CORS).
   */
  readonly servers?: readonly ApiServer[];
  /** Under which terms the API may be used: by the SPDX identifier of a license, or where to read it. */
  readonly license?:
    | { readonly name: string; readonly identifier?: string }
    | { readonly name: string; readonly url: string };
  /** Whom to ask. */
  readonly contact?: { readonly name?: string; readonly url?: string; readonly email?: string };
  /** Where the terms of service are. */
  readonly termsOfService?: string;
}

/** What `app.openapi()` returns. @see https://spec.openapis.org/oas/v3.1.1 */
export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: Omit<OpenApiOptions, 'servers'> & {
    readonly title: string;
    readonly version: string;
    readonly description?: string;
  };
  readonly servers: readonly ApiServer[];
  readonly tags?: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>;
  readonly components: {
    readonly schemas?: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes?: Readonly<Record<string, SecurityScheme>>;
  };
}

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/TokenFactory.Cli -c Release -o /opt/token-factory --nologo -p:RestoreLockedMode=true -p:RunAnalyzers=false

FROM mcr.microsoft.com/dotnet/aspnet:10.0
RUN apt-get update \
    && apt-get install -y --no-install-recommends libsqlite3-0 \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s /opt/token-factory/TokenFactory.Cli /usr/local/bin/tokenfactory \
    && mkdir -p /var/lib/token-factory \
    && chown $APP_UID:$APP_UID /var/lib/token-factory
COPY --from=build /opt/token-factory /opt/token-factory
WORKDIR /var/lib/token-factory
USER $APP_UID
EXPOSE 8080
# A server learns which of its code is hot while it is under load: at once, not in a quiet moment that does not come.
ENV DOTNET_TC_CallCountingDelayMs=0
ENTRYPOINT ["tokenfactory"]
CMD ["serve", "/etc/token-factory/gateway.yaml"]

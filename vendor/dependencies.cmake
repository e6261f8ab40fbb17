# Finds every dependency through pkg-config and gives each a target dep::NAME.
# What each is for, its minimum version and Debian package: vendor/README.md.
# Imported targets give their headers by -isystem.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(dependency name)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${ARGN})
  add_library(dep::${name} ALIAS PkgConfig::${name})
endfunction()

dependency(uv libuv>=1.44)
dependency(curl libcurl>=7.88)
dependency(microhttpd libmicrohttpd>=0.9.75)
dependency(sqlite sqlite3>=3.40)
dependency(lua lua5.4>=5.4.4)
dependency(cjson lua5.4-cjson>=2.1.0)
dependency(pcre2 libpcre2-8>=10.42)
dependency(nettle nettle>=3.8)
dependency(jansson jansson>=2.14)

# Only the tests need it.
pkg_check_modules(cmocka QUIET IMPORTED_TARGET cmocka>=1.1.5)

# Compiler cache, linker, warnings, sanitizers. Everything here is used when present and never required.
find_program(STARLING_CCACHE ccache)
if(STARLING_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Base directory and no directory hash: another checkout of the same sources finds what this one has compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${STARLING_CCACHE})
endif()
find_program(STARLING_MOLD mold)

add_library(starling_options INTERFACE)
target_include_directories(starling_options INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/src/proto
                                                     ${PROJECT_SOURCE_DIR}/include)
target_compile_features(starling_options INTERFACE cxx_std_23)
target_compile_options(starling_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
                       -Wcast-align -Woverloaded-virtual -Wformat=2)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(starling_options INTERFACE -Wduplicated-cond -Wlogical-op)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 sees overlaps and overflows in inlined std::string and std::vector code that are not there (GCC bugs 105329,
    # 105651, 107852); clang, clang-tidy and the sanitizers look for the real ones.
    target_compile_options(starling_options INTERFACE -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow
                           -Wno-stringop-overread -Wno-maybe-uninitialized -Wno-free-nonheap-object
                           -Wno-nonnull)
  endif()
endif()
if(STARLING_WERROR)
  target_compile_options(starling_options INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(starling_options INTERFACE -fpch-instantiate-templates)
endif()
if(STARLING_MOLD)
  # Programs choose their own: cmake/StarlingProgram.cmake.
  target_link_options(starling_options INTERFACE $<$<NOT:$<BOOL:$<TARGET_PROPERTY:STARLING_PROGRAM>>>:-fuse-ld=mold>)
endif()
if(STARLING_SANITIZE)
  target_compile_options(starling_options INTERFACE -fsanitize=${STARLING_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(starling_options INTERFACE -fsanitize=${STARLING_SANITIZE})
endif()
# Test code is not optimised: what it tests is, and compiling tests is half of a cold build.
set(STARLING_TEST_OPTIONS "")
if(CMAKE_BUILD_TYPE MATCHES "^Rel")
  set(STARLING_TEST_OPTIONS -O0)
endif()
# Nor is it looked through for undefined behaviour, which takes as long again: what it tests is. Its memory is watched.
if(STARLING_SANITIZE MATCHES "undefined")
  list(APPEND STARLING_TEST_OPTIONS -fno-sanitize=undefined)
endif()
if(STARLING_FUZZ)
  target_compile_options(starling_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Libraries of others inside the programs or beside them: docs/adr/0013-libraries-inside-the-programs.md.
set(static_default OFF)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT STARLING_SANITIZE AND NOT STARLING_FUZZ)
  set(static_default ON)
endif()
option(STARLING_STATIC "Link OpenSSL, Crypto++, libsodium, libsecp256k1 and Boost.JSON from their archives" ${static_default})
if(NOT "${STARLING_STATIC}" STREQUAL "${STARLING_STATIC_BEFORE}")
  # What an earlier configuration of this folder has found is of the other kind.
  foreach(found OPENSSL_CRYPTO_LIBRARY OPENSSL_SSL_LIBRARY pkgcfg_lib_SECP256K1_secp256k1 pkgcfg_lib_CRYPTOPP_crypto++
                pkgcfg_lib_SODIUM_sodium)
    unset(${found} CACHE)
  endforeach()
  set(STARLING_STATIC_BEFORE "${STARLING_STATIC}" CACHE INTERNAL "STARLING_STATIC of the last configuration")
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
set(shared_suffixes ${CMAKE_FIND_LIBRARY_SUFFIXES})
if(STARLING_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a ${shared_suffixes})
  set(Boost_USE_STATIC_LIBS ON)
endif()
find_package(OpenSSL 3.0 REQUIRED)
pkg_check_modules(SECP256K1 REQUIRED IMPORTED_TARGET libsecp256k1)
pkg_check_modules(CRYPTOPP REQUIRED IMPORTED_TARGET libcrypto++)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
set(CMAKE_FIND_LIBRARY_SUFFIXES ${shared_suffixes})
find_package(SQLite3 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
if(STARLING_STATIC)
  # Debian has no archives of these two; their headers are complete.
  set(STARLING_FMT fmt::fmt-header-only)
  add_library(starling_spdlog INTERFACE)
  target_compile_definitions(starling_spdlog INTERFACE SPDLOG_FMT_EXTERNAL)
  target_link_libraries(starling_spdlog INTERFACE fmt::fmt-header-only Threads::Threads)
  set(STARLING_SPDLOG starling_spdlog)
else()
  set(STARLING_FMT fmt::fmt)
  set(STARLING_SPDLOG spdlog::spdlog)
endif()
if(STARLING_TESTS)
  find_package(GTest REQUIRED)
endif()
